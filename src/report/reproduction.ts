/** The paper's figures and tables: what computes them, and what writes the page. */
export * from './paper';
export {paperSummary, writePaper} from './show/paperPage';
