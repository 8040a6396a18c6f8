import type {Bundle} from './bundle';
import {html, type Html} from './html';

export type ImageType = 'image/png' | 'image/webp' | 'image/jpeg';

export interface ImageOptions {
  /** What the picture shows, for readers who do not see it. */
  alt: string;
  /** Size on the page in pixels. @default that of the picture */
  width?: number;
  height?: number;
  /** Enlarges pixels as squares, for small pictures. @default false */
  pixelated?: boolean;
  /** Becomes smaller where the page is narrower. @default false */
  fits?: boolean;
  /** @default 'image/png' */
  type?: ImageType;
}

/** A picture. PNG is shown as such by every front end; another type travels inside HTML. */
export function imageBundle(bytes: Uint8Array, options: ImageOptions): Bundle {
  const {alt, width, height, type = 'image/png', pixelated} = options;
  if (type !== 'image/png' || pixelated) {
    return {data: {'text/html': imageHtml(bytes, options).html, 'text/plain': alt}};
  }
  const size = {...(width && {width}), ...(height && {height})};
  return {data: {'image/png': base64(bytes), 'text/plain': alt}, metadata: {'image/png': size}};
}

/** A picture as markup with its bytes inside, to be put into a table or a grid. */
export function imageHtml(
  bytes: Uint8Array,
  {alt, width, height, pixelated = false, fits = false, type = 'image/png'}: ImageOptions,
): Html {
  const size = html`${width ? html` width="${width}"` : ''}${height ? html` height="${height}"` : ''}`;
  const style = `max-width:${fits ? '100%' : 'none'};vertical-align:middle${pixelated ? ';image-rendering:pixelated' : ''}`;
  return html`<img alt="${alt}" ${size} style="${style}" src="${`data:${type};base64,${base64(bytes)}`}" />`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
