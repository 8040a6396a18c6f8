import {html, isolated, standalonePage, type Html} from '../display';
import type {ShowOptions} from './options';
import {viewHtml} from './view';
import {viewOf} from './viewOf';

/** A part of a page. */
export interface PageSection {
  heading: string;
  /** Paragraphs below the heading. */
  text?: readonly string[];
  /** Results, figures, markup: whatever `show` shows, one after another. */
  content?: readonly unknown[];
  /** What to look at beside them. */
  options?: ShowOptions;
}

/**
 * A page of results that needs nothing from the network: the same pictures as in a notebook, alive where scripts run and at rest where
 * they do not. Markup is made with the `html` tag of the notebook's display; everything else is shown as text.
 * @returns the text of an HTML file
 */
export async function resultPage(title: string, sections: readonly PageSection[]): Promise<string> {
  let carried = false;
  // The first figure of the page brings the library for all of them.
  const carry = () => {
    const first = !carried;
    carried = true;
    return first;
  };
  const parts: Html[] = [];
  for (const {heading, text = [], content = [], options = {}} of sections) {
    const shown: Html[] = [];
    for (const value of content) shown.push(viewHtml(await viewOf(value, options), carry));
    parts.push(
      html`<section style="margin:0 0 28px">
        <h2 style="font-size:17px;margin:0 0 6px">${isolated(heading)}</h2>
        ${text.map((line) => html`<p style="margin:0 0 10px;max-width:720px;line-height:1.45">${isolated(line)}</p>`)}
        ${shown}
      </section>`,
    );
  }
  return standalonePage(
    title,
    html`<h1 style="font-size:21px;margin:0 0 18px">${isolated(title)}</h1>
      ${parts}`,
  );
}
