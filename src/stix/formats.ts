import { isTimestamp } from './timestamp.ts';

/** The formats that the schemas name, for the generated code. */
export const formats = { 'date-time': isTimestamp };
