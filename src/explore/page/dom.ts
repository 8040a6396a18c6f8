type Child = Node | string | number | undefined | false;
type Attributes = Record<string, string | number | boolean | undefined>;

/** An HTML element; strings are text, never markup. */
export function h<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[T] {
  return filled(document.createElement(tag), attributes, children);
}

export function svg<T extends keyof SVGElementTagNameMap>(
  tag: T,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[T] {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function filled<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined && child !== false).map(asNode));
  return element;
}

function asNode(child: Child): Node | string {
  return child instanceof Node ? child : String(child);
}

/** Text of unknown direction, kept from reordering its surroundings. */
export function isolated(text: string): HTMLElement {
  return h('bdi', {dir: 'auto'}, text);
}

/** Nodes with a separator between them. */
export function joined(nodes: readonly Node[], separator: string): (Node | string)[] {
  return nodes.flatMap((node, i) => (i === 0 ? [node] : [separator, node]));
}

/** A button that copies a text and says so. */
export function copyButton(text: () => string, label: string): HTMLButtonElement {
  const button = h('button', {type: 'button', class: 'copy', 'aria-label': label}, 'copy');
  button.addEventListener('click', async () => {
    button.textContent = (await copied(text(), button)) ? 'copied' : 'select and copy by hand';
    setTimeout(() => (button.textContent = 'copy'), 2000);
  });
  return button;
}

/** The clipboard's own interface is absent on pages without encryption: there the older command does. */
async function copied(text: string, beside: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h('textarea', {class: 'offscreen', readonly: true}, text);
    beside.after(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    beside.focus();
    return done;
  }
}
