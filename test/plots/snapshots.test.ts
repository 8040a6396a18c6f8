import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {renderVegaSvg} from '../../src/report/display';
import {snapshotFigures} from './snapshotFigures';

const FOLDER = path.join(__dirname, 'snapshots');
const UPDATE = process.env['UPDATE_SNAPSHOTS'] === '1';
const figures = snapshotFigures();

for (const [name, figure] of Object.entries(figures)) {
  test(`the figure ${name} looks as it did when it was last reviewed`, () => {
    const svg = comparable(renderVegaSvg(figure));
    const file = path.join(FOLDER, `${name}.svg`);
    if (UPDATE) {
      mkdirSync(FOLDER, {recursive: true});
      writeFileSync(file, svg);
    }
    assert.ok(existsSync(file), `${file} is missing; UPDATE_SNAPSHOTS=1 writes it, then look at it`);
    assert.equal(svg, readFileSync(file, 'utf8'), 'UPDATE_SNAPSHOTS=1 rewrites it: look at the difference');
    assert.doesNotMatch(svg, />[^<]*(NaN|undefined|null)[^<]*<|="[^"]*NaN/);
    const width = Number(/width="([\d.]+)"/.exec(svg)?.[1]);
    assert.ok(width <= 660, `${width} pixels wide`);
  });
}

test('every snapshot is of a figure', () => {
  const names = Object.keys(figures).map((name) => `${name}.svg`);
  assert.deepEqual(readdirSync(FOLDER).sort(), names.sort());
});

/**
 * An SVG that is the same on every machine and in every order of tests: rounded, its clips numbered as they come; and small to read:
 * without what is said for screen readers, a line an element.
 */
function comparable(svg: string): string {
  const ids = new Map<string, string>();
  return svg
    .replace(/\b(clip|gradient_)(\d+)\b/g, (id, kind: string) => {
      if (!ids.has(id)) ids.set(id, `${kind}${ids.size}`);
      return ids.get(id) as string;
    })
    .replace(/-?\d+\.\d{3,}(e-\d+)?/g, (value) => String(Number(Number(value).toFixed(2)) || 0))
    .replace(/ (aria-[a-z]+|role|font-family|pointer-events)="[^"]*"/g, '')
    .replace(/<path class="(background|foreground)" d="(M0,0h0v0h0Z)?"( display="none")?\/>/g, '')
    .replace(/></g, '>\n<')
    .concat('\n');
}
