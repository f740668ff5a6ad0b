/** The part of a .cpuprofile that is read here. */
export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  /** in microseconds, of each sample since the one before it */
  timeDeltas: number[];
}

/** A function, and how much of the time it was the one that ran. */
export interface Share {
  name: string;
  share: number;
}

const idle = new Set(['(idle)', '(program)', '(root)']);

/** The functions that took the most time themselves, as shares of the time in which any JavaScript or its engine ran. */
export function listTopFunctions({ nodes, samples, timeDeltas }: CpuProfile, count: number): Share[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, describe(callFrame)]));
  const times = new Map<string, number>();
  let all = 0;
  samples.forEach((id, n) => {
    const name = names.get(id) ?? '';
    if (idle.has(name)) return;
    const micros = timeDeltas[n] ?? 0;
    all += micros;
    times.set(name, (times.get(name) ?? 0) + micros);
  });
  return [...times]
    .map(([name, micros]) => ({ name, share: micros / all }))
    .sort((a, b) => b.share - a.share)
    .slice(0, count);
}

function describe({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  if (url === '') return functionName;
  const file = url.split(/\/(?=dist\/|node_modules\/)/).at(-1);
  return `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
}
