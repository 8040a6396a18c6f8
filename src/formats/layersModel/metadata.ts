export interface Metadata {preset?: any; classNames?: any; origins?: any; hash?: string; hashVersion?: number}
export function readMetadata(json: Record<string, unknown>, file: string): Metadata | undefined { void json; void file; return undefined; }
