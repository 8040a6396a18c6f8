/** Markup that is safe to put into a page; made by the `html` tag, which escapes what is put into it. */
export interface Html {
  readonly html: string;
}

const ESCAPES: Record<string, string> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'};

/** Text as markup that shows exactly this text, in content and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character]);
}

/** Markup from a template: values are shown as text, `Html` values and lists of them are put in as they are. */
export function html(strings: TemplateStringsArray, ...values: unknown[]): Html {
  // The indentation of the source would only make notebooks larger.
  const pieces = strings.map((piece) => piece.replace(/\n\s*/g, '\n'));
  return {html: pieces.reduce((markup, piece, i) => markup + markupOf(values[i - 1]) + piece)};
}

/** Markup that was written by hand, or by a library that escapes. */
export function trusted(markup: string): Html {
  return {html: markup};
}

/** Text of unknown direction, kept from reordering its surroundings (a class name in Hebrew beside a number). */
export function isolated(text: string): Html {
  return html`<bdi dir="auto">${text}</bdi>`;
}

export function isHtml(value: unknown): value is Html {
  return typeof value === 'object' && value !== null && typeof (value as Html).html === 'string';
}

/** JSON that may stand inside a script element. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/</g, '\\u003c');
}

function markupOf(value: unknown): string {
  if (isHtml(value)) return value.html;
  if (Array.isArray(value)) return value.map(markupOf).join('');
  return value === undefined || value === null || value === false ? '' : escapeHtml(String(value));
}
