import type {SplitTopImages} from '../../evaluate';
import type {LabelledImages} from '../../images/types';
import type {Model} from '../../network/types';
import type {ChannelDescriptions} from '../descriptions';
import type {RelevanceStatistics} from '../../numerics/statistics';
import type {CropOptions} from './crops';

/** What `show` may look at beside the result itself. */
export interface ShowOptions extends CropOptions {
  /** Statistics that a result was found in: adds similarity heatmaps and example images. */
  stats?: RelevanceStatistics;
  /** Images that a result is about: adds pictures of them. */
  images?: LabelledImages;
  /** Top images of the same split, among `images`: stand beside what visualisations show, a row per channel. */
  top?: SplitTopImages;
  /** The network that images are for: names their classes, says what it takes them for, and where a channel fires in them. */
  model?: Model;
  /** What others say that channels stand for: stands beside what the classes say. */
  descriptions?: ChannelDescriptions;
  /** Pictures of these classes only, by index or name. @default all */
  classes?: readonly (number | string)[];
  /** Channels to go into, by number. @default the most telling ones */
  channels?: readonly number[];
  /** Images in a row. @default 10 */
  count?: number;
  /** Side of a thumbnail in pixels. @default 64 */
  side?: number;
  /** τ and p of what is counted as relevant. @default 0.03, or 2 / channels where that is more; 0.75 */
  tau?: number;
  p?: number;
}

export const ROW = 10;
export const SIDE = 64;
