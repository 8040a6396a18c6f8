/** What a channel reads at the positions where it fires, for the images of one class. Each of two halves of the images has its own. */
export interface GatedEntry {
  channel: number;
  class: number;
  /** Images in which the channel fires, by half. */
  images: [number, number];
  /** Positions at which it fires, by half. */
  positions: [number, number];
  /** Σ over these positions of the contributions Σ_taps W[tap, i, c]·X_i, [2, Cin]. */
  sums: Float64Array;
}

/** Sums over the positions where channels fire: what `gatedVectors` follow from. Plain data, and mergeable. */
export interface GatedSums {
  /** Share of relevance from which an image counts for a channel's class; 0: every image, whatever its share. */
  floor: number;
  /** Key channel·K + class. */
  entries: Map<number, GatedEntry>;
  /** The same sums over all images below the floor, whatever their class, by channel; where the floor is 0 they are empty. */
  background: Map<number, Omit<GatedEntry, 'class'>>;
  /** Entries that the bound on memory left no room for. */
  dropped: number;
}
