export {compareWithPublished, type FoundAgainstPublished} from './compare';
export {densitiesCsv, fractionsCsv, pairsCsv, publishedFiles} from './exports';
export {pooledFractions, type PooledFractions, type TripleFractions} from './pooled';
export {PUBLISHED_LAYER, PUBLISHED_TRIPLES, PUBLISHED_WEIGHTS, TEASER, type Triple} from './published';
export {reproducePaper, type PaperOptions, type PaperReproduction, type PaperRow} from './reproduce';
