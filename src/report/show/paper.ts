import {numberText, percentText} from '../../common/numbers';
import {densityPlot, rhoSweep, similarityHeatmap, sourcesPlot} from '../../plots';
import {drawingBundle} from '../display';
import {OTHER_WEIGHTS, PUBLISHED_LAYER, PUBLISHED_WEIGHTS} from '../paper/published';
import type {Densities} from '../../evaluate';
import type {PaperReproduction} from '../paper/reproduce';
import type {ShowOptions} from './options';
import {agreementTable, listBlocks, pooledTable, rowBlocks} from './paperTables';
import {splitFeaturesView} from './pictures';
import {rewiring} from './rewiring';
import {proofView} from './splitViews';
import {teaser as drawTeaser} from './teaser';
import {topImagesView} from './topImages';
import {words, type View} from './view';

/** A part of the paper as it is shown. */
export interface PaperSection {
  heading: string;
  text: string[];
  view: View;
}

/**
 * Everything in the order of the paper, each figure and table with its number here and what it is in the paper.
 * @param options.images those that the results were measured on; without them the pictures are left out
 */
export async function paperSections(paper: PaperReproduction, options: ShowOptions = {}): Promise<PaperSection[]> {
  const {teaser, published, stats, thresholds} = paper;
  const {split} = teaser;
  const names = split.concepts.map(({classNames}) => classNames.join(' + ')).join(' and ');
  const mine = published ? '' : ' (of another network than the paper’s)';
  return [
    {heading: 'Table 1: theirs, ours, difference', text: aboutWeights(paper), view: [agreementTable(paper)]},
    {
      heading: `Table 2: ${published ? 'the published list' : 'the pairs with the lowest cosines'}`,
      text: published || paper.comparison.found > 0 ? [] : [NONE_FOUND],
      view: listBlocks(paper),
    },
    {
      heading: `Figure 1: channel ${split.channel}, ${names}${mine}`,
      text: [
        'The paper’s teaser: what the channel and each of its parts look for, surrounded by the images that excite them most. These images were not used to find the sources or ρ.',
      ],
      view: await teaserBlocks(paper, options),
    },
    {
      heading: 'Figure 2: how the channel is divided',
      text: [
        'The paper’s method: the sources and their owners, the choice of ρ, and the check that the network computes the same.',
      ],
      view: [
        rewiring(split),
        {figure: sourcesPlot(split)},
        ...(split.rho && split.rho.scores.length > 0 ? [{figure: rhoSweep(split)}] : []),
        ...proofView(teaser.proof),
      ],
    },
    {
      heading: 'Figure 3: summed activation of the original and its parts',
      text: [
        'The paper’s densities: signed sums over the positions, one panel per concept. In the paper, each part follows the original on the images of its own concept and stays near 0 on the other images.',
        `Here the means are: ${densityMeans(teaser.densities)}.`,
      ],
      view: [{figure: densityPlot(teaser.densities)}],
    },
    {
      heading: 'Table 3: what the parts carry, over all triples',
      text: [
        'The paper’s result: 2 × 3 column means. If a denominator is near 0, a single image can dominate the mean of ratios; the intervals show this.',
      ],
      view: [pooledTable(paper)],
    },
    {heading: 'Figure 4 (ours): the same, row by row, next to random splits', text: [], view: rowBlocks(paper)},
    {
      heading: `Figure 5 (ours): how alike the classes of channel ${split.channel} are`,
      text: [
        `Cosines between averaged relevance vectors, ordered by clustering; outlined below γ = ${numberText(thresholds.gamma)}.`,
      ],
      view: [
        {
          figure: similarityHeatmap(stats, split.channel, {
            classes: relevantClasses(paper),
            gamma: thresholds.gamma,
            arv: 'published',
          }),
        },
      ],
    },
  ];
}

/** Of the original and each part, by the concept whose images they are of. */
function densityMeans({curves}: Densities): string {
  const concepts = [...new Set(curves.map(({concept}) => concept))];
  return concepts
    .map((concept) => {
      const own = curves.filter((curve) => curve.concept === concept);
      return `on images of ${concept} ${own.map(({channel, mean}) => `${channel} ${numberText(mean)}`).join(', ')}`;
    })
    .join('; ');
}

const NONE_FOUND =
  'No pair of this network lies below γ, so by the paper’s rule no channel is polysemantic. The pairs with the lowest cosines are divided all the same, to show the figures.';

/** What a cell shows. */
export async function paperView(paper: PaperReproduction, options: ShowOptions): Promise<View> {
  const sections = await paperSections(paper, options);
  return sections.flatMap(({heading, text, view}) => [words(heading, ...text), ...view]);
}

/** Classes that the teaser's channel is relevant to by the paper's thresholds, at least its own two. */
function relevantClasses({teaser: {split}, pairs}: PaperReproduction): number[] {
  const own = split.concepts.flatMap(({classes}) => classes);
  const others = pairs.filter(({channel}) => channel === split.channel).flatMap(({classes}) => classes);
  return [...new Set([...own, ...others])].sort((a, b) => a - b);
}

async function teaserBlocks({teaser: {features, top}}: PaperReproduction, options: ShowOptions): Promise<View> {
  const {images} = options;
  if (!images) return features ? splitFeaturesView(features, {}) : topImagesView(top, {});
  if (!features) return topImagesView(top, {...options, crop: 'relevance'});
  const drawing = await drawTeaser(features, top, images);
  return [{bundle: await drawingBundle(drawing), draw: () => drawing}];
}

/** Which network this is, and whether its numbers can be those of the paper. */
function aboutWeights({published, model, layer, top1}: PaperReproduction): string[] {
  const {file, name, digits} = PUBLISHED_WEIGHTS;
  const ran = `${model}, layer ${layer}; top-1 ${percentText(top1.share, 1)} on ${numberText(top1.images)} images`;
  const needed = `The published network is torchvision's ResNet-50 with the weights ${name} (${file})`;
  const other = `${OTHER_WEIGHTS.name} (${OTHER_WEIGHTS.file}) is the same architecture trained anew by another recipe, so its channels stand for other things`;
  if (!published)
    return [`${needed}, layer ${PUBLISHED_LAYER}, and ImageNet; ${other}. It was not run: this is ${ran}.`];
  if (model.includes(digits)) return [`${ran}.`, `${needed}: this one, by its name. ${other}.`];
  const doubt = model.includes(OTHER_WEIGHTS.digits)
    ? 'This is V2: the differences below are those of another network'
    : 'The name of this one does not say which it is';
  return [`${ran}.`, `${needed}; ${other}. ${doubt}.`];
}
