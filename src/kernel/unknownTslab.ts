import {KNOWN_VERSIONS} from '../report/display/tslab';

/** What a user of another tslab should know, and how to get the one that was tried. */
export function unknownTslab(version: string): string {
  const known = KNOWN_VERSIONS.join(', ');
  return `unweave: this kernel is tslab ${version}, which was not tried (tried: ${known}) and is left as it is: output may be lost and controls stand still; npm install tslab@${KNOWN_VERSIONS[KNOWN_VERSIONS.length - 1]} mends it`;
}
