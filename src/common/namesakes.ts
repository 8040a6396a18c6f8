/** Networks of timm with the very names and shapes of a known one's weights that compute something else. */
export const NAMESAKES: Readonly<Record<string, readonly string[]>> = {resnet50: ['resnetaa50', 'resnetblur50']};

/** What to say of an architecture that others cannot be told from by their weights, as the end of a sentence; else empty. */
export function namesakesText(arch: string | undefined): string {
  const others = arch !== undefined && Object.hasOwn(NAMESAKES, arch) ? NAMESAKES[arch] : undefined;
  if (!others) return '';
  return `timm's ${others.join(' and ')} have the names and shapes of ${arch} and compute something else (export such a network as ONNX)`;
}
