import { mkdir, writeFile } from 'node:fs/promises';
import { listTopFunctions } from './cpu-profile.ts';
import { profileDuring } from './inspector.ts';

const directory = new URL('results/profiles/', import.meta.url);
const topCount = 15;

/** Takes the profile of the first repetition of each load, as a file that Chrome and VS Code open, and tells what took most. */
export function takeProfile(measurement: string, progress: (message: string) => void) {
  const taken = new Set<string>();
  return async <Result>(name: string, inspectorUrl: string, work: () => Promise<Result>): Promise<Result> => {
    if (taken.has(name)) return work();
    taken.add(name);
    const { result, profile } = await profileDuring(inspectorUrl, work);
    await mkdir(directory, { recursive: true });
    const file = `${measurement}-${name}.cpuprofile`.replaceAll(/[^\w.]+/g, '-');
    await writeFile(new URL(file, directory), JSON.stringify(profile));
    progress(`  results/profiles/${file}: the functions that took most time themselves`);
    for (const { name, share } of listTopFunctions(profile, topCount)) {
      progress(`    ${(share * 100).toFixed(1).padStart(5)} %  ${name}`);
    }
    return result;
  };
}
