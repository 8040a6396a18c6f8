import {WORDS, type PartScores, type SplitScores} from '../../evaluate/scoreSplit';
import {numberText} from '../../plots/labels';
import {table, words, type View} from './view';

/** Scores of a split: the channel and its parts one by one, and the parts together beside random splits. */
export function scoresView(scores: SplitScores): View {
  const {channel, layer, embedder, images, count, channels, parts, random, gain, randomSplits} = scores;
  const number = (value: number) => (Number.isFinite(value) ? numberText(value) : '–');
  const names = Object.keys(WORDS) as (keyof PartScores)[];
  return [
    words(
      `channel ${channel} of layer ${layer}, scored by embeddings of ${embedder}`,
      `${images} images; clarity, redundancy and distances are of the ${count} that excite a channel most`,
    ),
    table(
      [
        'channel',
        {
          title: 'MS score',
          hint: 'mean cosine of pairs of images, weighted by how much the channel is excited by both',
          format: number,
        },
        {title: 'clarity', hint: 'mean cosine of pairs of the images that excite it most', format: number},
      ],
      channels.map((one) => [one.channel, one.monosemanticity, one.clarity]),
      {caption: 'before (original) and after'},
    ),
    table(
      [
        'parts together',
        {title: 'here', format: number},
        {title: 'random splits', hint: `mean of ${randomSplits}`, format: number},
        {title: 'central 95 % of them'},
        {title: 'gain', hint: 'here minus the mean of random splits', format: number},
      ],
      names.map((name) => [
        WORDS[name],
        parts[name],
        random[name].mean,
        `${number(random[name].interval[0])} to ${number(random[name].interval[1])}`,
        gain[name],
      ]),
      {caption: 'beside random splits of the same sizes'},
    ),
  ];
}
