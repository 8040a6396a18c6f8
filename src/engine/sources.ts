import type {EngineSource} from './engineFolder';
import {platformKey} from './engineFolder';

/**
 * Where TensorFlow's libraries come from, by platform. tfjs-node's own download no longer exists; the Python wheels hold
 * the same libraries. The digests are those of the package index.
 */
const SOURCES: Record<string, EngineSource> = {
  'linux-x64': {
    project: 'tensorflow-cpu',
    tensorflow: '2.15.1',
    pipPlatform: 'manylinux2014_x86_64',
    wheelSha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
    megabytes: 207,
  },
  'linux-arm64': {
    project: 'tensorflow-cpu-aws',
    tensorflow: '2.15.1',
    pipPlatform: 'manylinux2014_aarch64',
    wheelSha256: 'd4c3a3a9363bf42999adedbbd514e3a133be2d62f61fee9cfa46aaefb087c09e',
    megabytes: 212,
  },
  'darwin-arm64': {
    project: 'tensorflow',
    tensorflow: '2.16.2',
    pipPlatform: 'macosx_12_0_arm64',
    wheelSha256: '2c8a0e79395639b762e62002db99b2f6cc608f744312c9940899c1128f325331',
    megabytes: 227,
  },
};

/** The source for this machine, or why there is none. */
export function engineSource(): EngineSource | {unavailable: string} {
  const source = SOURCES[platformKey()];
  if (!source) return {unavailable: `there is no native TensorFlow for ${platformKey()}`};
  if (process.platform === 'linux' && !usesGlibc()) {
    return {unavailable: 'native TensorFlow needs the GNU C library, which this Linux does not use'};
  }
  return source;
}

function usesGlibc(): boolean {
  const {header} = process.report.getReport() as unknown as {header: {glibcVersionRuntime?: string}};
  return header.glibcVersionRuntime !== undefined;
}
