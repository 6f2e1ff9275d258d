import { createHash } from 'node:crypto';
import { HtmlValidate } from 'html-validate';
import { describe, expect, it } from 'vitest';
import { html, Markup } from '../../pipeline/sheet/markup.ts';
import { type Sheet, type SheetCell, sheetPage } from '../../pipeline/sheet/sheet.ts';
import { measured } from './measured.ts';

const shown = (equalContrastActivation: number, changes = {}): SheetCell => ({
  kind: 'picture',
  url: 'data:image/webp;base64,AAAA',
  widthPx: 28,
  heightPx: 28,
  ...measured({ equalContrastActivation, ...changes }, 1.25),
});

const hostile = `</style><script>alert(1)</script>"'&\u202e`;

const sheet: Sheet = {
  kicker: 'Recipes side by side',
  title: hostile,
  lead: 'Two recipes.',
  made: hostile,
  columns: [{ name: 'first' }, { name: hostile, note: hostile }, { name: 'table' }],
  layers: [
    {
      name: hostile,
      kind: 'scores',
      columns: [
        { kind: 'recipe', summary: '64 steps' },
        { kind: 'recipe', summary: hostile },
        { kind: 'none', reason: `${hostile} has no row.` },
      ],
      rows: [
        {
          unit: 0,
          label: hostile,
          cells: [
            shown(2, { probability: 0.5 }),
            shown(3, {
              probability: 0.001,
              prediction: { unit: 1, label: hostile, probability: 0.9, right: false },
            }),
            undefined,
          ],
        },
        { unit: 7, cells: [shown(-1), { kind: 'none', reason: hostile }, undefined] },
      ],
    },
  ],
  trials: { caption: hostile, head: ['rank', hostile], rows: [{ cells: [1, hostile], over: true }] },
};

describe('a contact sheet', () => {
  it('is valid HTML, whatever the names are', async () => {
    const validator = new HtmlValidate({
      extends: ['html-validate:recommended', 'html-validate:a11y'],
      rules: {
        'long-title': 'off',
        'prefer-native-element': 'off',
        'no-inline-style': ['error', { allowedProperties: [] }],
      },
    });
    const { results } = await validator.validateString(await sheetPage(sheet));
    expect(
      results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => [ruleId, message])),
    ).toEqual([]);
  });

  it('holds no script, no handler and nothing from elsewhere, and its policy allows its own style alone', async () => {
    const page = await sheetPage(sheet);
    expect(page).not.toMatch(/<script|\son[a-z]+=|\sstyle=|https?:|<link|@import|url\(/);
    expect(page).not.toContain('\u202e');
    const styles = [...page.matchAll(/<style>([\s\S]*?)<\/style>/g)];
    expect(styles).toHaveLength(1);
    const hash = createHash('sha256')
      .update(styles[0]?.[1] ?? '')
      .digest('base64');
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
    expect(policy).toBe(
      `default-src &#39;none&#39;; img-src data:; style-src &#39;sha256-${hash}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;`,
    );
  });

  it('marks the strongest of a row, and says what is wrong and what is missing', async () => {
    const page = await sheetPage(sheet);
    expect(page.match(/<small class="best">strongest/g)).toHaveLength(1);
    expect(page.match(/>strongest<\/small>/g)).toHaveLength(1);
    // 2 of 3, and a negative value has no bar.
    expect([...page.matchAll(/<rect width="([^"]*)"/g)].map(([, width]) => width)).toEqual([
      '66.7%',
      '100.0%',
      '0.0%',
    ]);
    expect(page.match(/<dt>taken for<\/dt>/g)).toHaveLength(1);
    expect(page).toContain('<td rowspan="2">');
    expect(page.match(/width="168" height="168"/g)).toHaveLength(3);
  });
});

describe('html', () => {
  it('escapes what is put in, unless it is markup', () => {
    const inner = html`<b title="${'"'}">${['<', html`<i>${'&'}</i>`, undefined, 3]}</b>`;
    expect(inner.text).toBe('<b title="&quot;">&lt;<i>&amp;</i>3</b>');
    expect(html`${new Markup('<hr>')}${"'>"}`.text).toBe('<hr>&#39;&gt;');
  });
});
