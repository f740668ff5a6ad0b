/** Imported by ceilings before all else: V8 is told about them what it is told about a hub. */
import { tuneEngine } from '../src/engine.ts';

tuneEngine();
