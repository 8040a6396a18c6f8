import {length} from './arithmetic';

/**
 * Signed distances to plain figures: below 0 inside, in the units of (u, v), with v pointing down. A union is `min`, an
 * intersection `max`, the outside of a figure `-d`; |u| in place of u mirrors.
 */
export type Distance = (u: number, v: number) => number;

/** Circle of radius r about (a, b). */
export function circle(u: number, v: number, a: number, b: number, r: number): number {
  return length(u - a, v - b) - r;
}

/** Rectangle about (a, b) with half sides hu and hv. */
export function box(u: number, v: number, a: number, b: number, hu: number, hv: number): number {
  return Math.max(Math.abs(u - a) - hu, Math.abs(v - b) - hv);
}

/** Axis-aligned ellipse about (a, b): 0 on its rim, −1 at its centre, so only roughly a distance. */
export function ellipse(u: number, v: number, a: number, b: number, ru: number, rv: number): number {
  return length((u - a) / ru, (v - b) / rv) - 1;
}

/** Stroke from (u1, v1) to (u2, v2) with round ends and half the width w. */
export function stroke(u: number, v: number, u1: number, v1: number, u2: number, v2: number, w: number): number {
  const du = u2 - u1;
  const dv = v2 - v1;
  const along = ((u - u1) * du + (v - v1) * dv) / (du * du + dv * dv);
  const t = along < 0 ? 0 : along > 1 ? 1 : along;
  return length(u - u1 - t * du, v - v1 - t * dv) - w;
}

/** Convex polygon with corners u1, v1, u2, v2 … clockwise as seen (v points down). */
export function polygon(...corners: number[]): Distance {
  const edges = corners.length / 2;
  // An edge's half-plane is p·u + q·v + s ≤ 0, with (p, q) its outward unit normal.
  const p = new Float64Array(edges);
  const q = new Float64Array(edges);
  const s = new Float64Array(edges);
  for (let i = 0; i < edges; i++) {
    const j = (i + 1) % edges;
    const [u1, v1, u2, v2] = [corners[2 * i], corners[2 * i + 1], corners[2 * j], corners[2 * j + 1]];
    const side = length(u2 - u1, v2 - v1);
    p[i] = (v2 - v1) / side;
    q[i] = (u1 - u2) / side;
    s[i] = -(p[i] * u1 + q[i] * v1);
  }
  return (u, v) => {
    let d = -Infinity;
    for (let i = 0; i < edges; i++) {
      const e = p[i] * u + q[i] * v + s[i];
      if (e > d) d = e;
    }
    return d;
  };
}
