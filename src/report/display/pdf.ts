import {createRequire} from 'node:module';
import type PdfDocument from 'pdfkit';
import {fontFiles} from './fonts';

const load = createRequire(__filename);

/** What svg-to-pdfkit is, which has no types of its own. */
type SvgToPdf = (
  document: InstanceType<typeof PdfDocument>,
  svg: string,
  x: number,
  y: number,
  options: object,
) => void;

/** An SVG as a PDF of one page, its text as text in the shipped font. @param size [width, height] in points, 1/72 inch */
export function svgPdf(svg: string, [width, height]: readonly [number, number]): Promise<Buffer> {
  const Document = load('pdfkit') as typeof PdfDocument;
  const draw = load('svg-to-pdfkit') as SvgToPdf;
  const [regular, bold] = fontFiles();
  // Without a date two files of one figure are the same.
  const info = {CreationDate: new Date(0), Producer: 'unweave', Creator: 'unweave'};
  const document = new Document({size: [width, height], margin: 0, info});
  const done = new Promise<Buffer>((resolve, reject) => {
    const pieces: Buffer[] = [];
    document.on('data', (piece: Buffer) => pieces.push(piece));
    document.on('end', () => resolve(Buffer.concat(pieces)));
    document.on('error', reject);
  });
  document.registerFont('regular', regular).registerFont('bold', bold);
  draw(document, svg, 0, 0, {
    width,
    height,
    preserveAspectRatio: 'xMinYMin meet',
    fontCallback: (_family: string, isBold: boolean) => (isBold ? 'bold' : 'regular'),
  });
  document.end();
  return done;
}
