import { describe, expect, it } from 'vitest';
import type { GalleryModel, LayerSummary, UnitRecord } from '../../../content/schema.ts';
import { bibtex, frame, html, markdown, plainCitation, type Quoted } from '../../../src/lib/cite.ts';

function quoted(layerName: string, dead = false): Quoted {
  const model: GalleryModel = {
    slug: 'm',
    title: 'A & B',
    sha256: '',
    format: 'onnx',
    parameters: 1,
    input: { channels: 1, heightPx: 4, widthPx: 4, scaling: 'none' },
    layers: [],
  };
  const layer: LayerSummary = {
    slug: 'l',
    name: layerName,
    kind: 'conv',
    index: 0,
    units: 1,
    published: 1,
    dead: 0,
    picture: { heightPx: 4, widthPx: 4 },
    output: [1, 4, 4],
    receptiveFieldPx: 3,
    samples: [],
  };
  const unit: UnitRecord = {
    unit: 7,
    image: { file: 'm/l/7.webp', widthPx: 4, heightPx: 4 },
    strip: { file: 'm/l/7.strip.webp', frames: [{ step: 0, objective: 0 }] },
    recipe: 'r',
    seed: 0,
    objective: { name: 'mean', curve: [] },
    measures: {
      activation: 4.3,
      maxActivation: 9,
      initialActivation: 0,
      linearActivation: 4.3,
      keptUnderShifts: 1,
      harshShare: 0,
      dead,
    },
    fingerprint: 'f'.repeat(64),
    engine: 'cpu',
    device: 'd',
    seconds: 1,
    renderedAt: '2026-11-21T11:00:00.000Z',
  };
  const page = 'https://x.org/m/l/7/';
  return { model, layer, unit, page, picture: 'https://x.org/m/l/7.webp', embed: `${page}embed/` };
}

describe('a citation', () => {
  it('names unit, layer, model, day and address in one line', () => {
    expect(plainCitation(quoted('conv'))).toBe(
      'Unit 7 of conv in A & B. Phosphene gallery, rendered 2026-11-21, https://x.org/m/l/7/',
    );
  });

  it('escapes what BibTeX would take for commands', () => {
    const entry = bibtex(quoted('a_b{c}%\\x'));
    expect(entry).toContain('{{Unit 7 of a\\_b\\{c\\}\\%\\textbackslash{}x in A \\& B}}');
    expect(entry.split('\n')[0]).toBe('@misc{phosphene-m-l-7,');
    expect(entry).toContain('year         = {2026}');
  });

  it('escapes what Markdown would take for a link or a tag', () => {
    const text = markdown(quoted('](javascript:x)<b>'));
    expect(text).toContain('\\]\\(javascript:x\\)\\<b\\>');
    expect(text).toMatch(/^\[!\[Picture that excites unit 7 of .*\]\(https:\/\/x\.org\/m\/l\/7\.webp\)\]/);
  });

  it('escapes what HTML would take for markup, in text and in attributes', () => {
    const name = `"><script>alert('1')</script>&`;
    for (const text of [html(quoted(name)), frame(quoted(name))]) {
      expect(text).toContain('&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;');
      expect(text).not.toContain('<script>');
    }
  });

  it('shows no picture of a dead unit', () => {
    expect(html(quoted('conv', true))).not.toContain('<img');
    expect(markdown(quoted('conv', true))).not.toContain('![');
  });
});
