import {setUpNotebook} from './index';

// Importing the package in a cell is all that its user does: bars, short errors and kept output are there from then on.
setUpNotebook();
