/** What Hesse, Fischer, Schaub-Meyer and Roth published with arXiv 2504.12939 for torchvision's ResNet-50, layer4.2.conv3. */

/** Their thresholds; pairs with a negative cosine are left out. */
export const PUBLISHED_THRESHOLDS = {tau: 0.03, p: 0.75, gamma: 0.5, lowest: 0} as const;

export const PUBLISHED_LAYER = 'layer4.2.conv3';

/** A channel and the two classes that it confuses. */
export interface Triple {
  channel: number;
  classes: [number, number];
}

const triple = (channel: number, a: number, b: number): Triple => ({channel, classes: [a, b]});

/** The 20 triples in 9 channels that their code finds. */
export const PUBLISHED_TRIPLES: readonly Triple[] = [
  triple(522, 62, 687),
  triple(1404, 385, 834),
  triple(895, 631, 946),
  triple(242, 515, 619),
  triple(522, 61, 687),
  triple(1660, 530, 938),
  triple(242, 515, 846),
  triple(242, 619, 808),
  triple(895, 467, 946),
  triple(242, 808, 846),
  triple(1349, 27, 889),
  triple(1832, 852, 984),
  triple(1773, 791, 958),
  triple(1349, 27, 486),
  triple(1698, 57, 515),
  triple(1698, 57, 808),
  triple(1698, 58, 515),
  triple(1698, 58, 808),
  triple(1698, 53, 515),
  triple(1698, 53, 808),
];

/** Their teaser and their density figure: digital clock and cauliflower. */
export const TEASER: Triple = triple(1660, 530, 938);

/** The one cosine that they print: channel 522, classes 62 and 687. */
export const PUBLISHED_COSINE = {...triple(522, 62, 687), cosine: 0.4963} as const;

/**
 * What their half-precision files allow a cosine to differ by: each of the 512 entries of an ARV is rounded to 11 bits, so a cosine near 0.5
 * is off by about 2⁻¹¹ at most.
 */
export const HALF_PRECISION_TOLERANCE = 2 ** -11;

/** torchvision's weights that the paper uses, by the first digits of the file's hash. */
export const PUBLISHED_WEIGHTS = {file: 'resnet50-0676ba61.pth', name: 'IMAGENET1K_V1', digits: '0676ba61'} as const;

/** The newer weights of the same architecture: trained anew by another recipe, so its channels stand for other things. */
export const OTHER_WEIGHTS = {file: 'resnet50-11ad3fa6.pth', name: 'IMAGENET1K_V2', digits: '11ad3fa6'} as const;
