import type {LongCallOptions} from '../common/progress';
import type {PresetOption} from '../images/types';
import type {PassProfile} from '../pass/profile';
import type {ImageCheck} from '../pass/stamps';
import type {Attribution, Collector} from '../pass/types';

export interface CollectOptions extends LongCallOptions {
  /** Layer of interest; `model.layers()` lists them. */
  layer: string;
  /** Folder for the statistics and, on the way, for checkpoints: the same call resumes from there. @default not saved */
  out?: string;
  /** Begin anew in `out`, whatever it holds. @default false */
  force?: boolean;
  /**
   * Images per batch; `auto` measures which is fastest, writes it down, and keeps it when it is resumed, since sums depend on it in their last bits. @default 32
   */
  batchSize?: number | 'auto';
  /** Only so many images, of each class as many as of the others, the first ones of each. @default all */
  limit?: number;
  /** Only so many images of each class, the first ones. @default all */
  perClass?: number;
  /**
   * `predicted`: an image's class is the one that the network gives the highest logit, which takes a forward pass of its own; for images
   * without labels. @default the images' labels
   */
  labels?: 'images' | 'predicted';
  /** How pixels become input. @default the images' preset, else the model's */
  preset?: PresetOption;
  /** How much of the logit each channel is given. @default activation × gradient */
  attribution?: Attribution;
  /** What else is gathered in the same pass; the states are in `collected`, by name. */
  collectors?: readonly Collector[];
  /** Gather what the channels read where they fire, too, by which `findPolysemantic` compares classes. @default true, or as the run in `out` began */
  gates?: boolean;
  /** Smallest share kept; a smaller τ cannot be used later. @default 0.005 */
  floor?: number;
  /** Images kept a channel, by relevance and by activation. @default 16 */
  topCount?: number;
  /** What an unreadable image, or one whose relevance is not finite, does. @default 'skip' (named and counted) */
  unreadable?: 'skip' | 'fail';
  /** So many unreadable images in a row stop the pass. @default 1 in 100 of the list, at least 16 */
  unreadableInARow?: number;
  /** Try the images again that an earlier run skipped. @default false */
  retrySkipped?: boolean;
  /** How a resumed run notices images that changed: by size and time of the files, by their content, or not. @default 'files' */
  check?: ImageCheck | 'none';
  /** Only this part of the list, of `count` parts; `mergeShards` adds them up. @default all */
  shard?: {index: number; count: number};
  /** Seconds between checkpoints; 0 writes one after each batch. @default 20 */
  checkpointSeconds?: number;
  /** Filled with where the time goes: `passProfile()`. @default not measured */
  profile?: PassProfile;
}

/** Options for several layers at once. */
export interface CollectLayersOptions extends Omit<CollectOptions, 'layer'> {
  /** Layers of interest, or patterns of them such as `layer4.*`. */
  layers: readonly string[];
}
