import type {Graph} from '../../network/graph';
import type {Metadata} from './metadata';
export function restoreExpressed(graph: Graph, metadata: Metadata, file: string): Graph { void metadata; void file; return graph; }
