import { everyBit } from '../support/flips.js';

everyBit(0);
