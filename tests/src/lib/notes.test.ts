import { describe, expect, it } from 'vitest';
import { noteAsHtml } from '../../../src/lib/notes.ts';

describe('a note', () => {
  it('is Markdown below the heading of its page', () => {
    expect(noteAsHtml('# Eyes\n\nLook at [unit 3](conv/3/) and `conv`.')).toBe(
      '<h2>Eyes</h2>\n<p>Look at <a href="conv/3/">unit 3</a> and <code>conv</code>.</p>\n',
    );
  });

  it.each([
    '<script>alert(1)</script>',
    'a <img src=x onerror=alert(1)> b',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](data:text/html;base64,AAAA)',
    '![x](https://elsewhere.example/x.png)',
    '[x](" onclick="alert(1))',
    '<a href="javascript:alert(1)">x</a>',
  ])('shows what could do harm as text: %s', (markdown) => {
    const html = noteAsHtml(markdown);
    expect(html).not.toMatch(/<(?!\/?(p|a|h\d|code|em|strong)\b)/i);
    expect(html).not.toMatch(/<a[^>]*href="(javascript|data):/i);
    expect(html).not.toMatch(/<a [^>]*\son\w+=/i);
  });
});
