import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import type { Config } from './config.ts';
import { OperatorError } from './errors.ts';
import { ignoreFurtherSignals, stopMsMax } from './main.ts';

// A worker that lived longer had a start that works: the next one follows at once.
const steadyMs = 60_000;
const pauseMsMin = 250;
const pauseMsMax = 30_000;
// With the pauses between them, a database has a quarter of a minute to come back.
const failedStartsMax = 7;

/** A worker, and what will become of it. */
interface Started {
  worker: Worker;
  bornAt: number;
  /** false where it ends before it can serve */
  isReady: Promise<boolean>;
  exit: Promise<Exit>;
}

interface Exit {
  code?: number | null;
  signal?: string | null;
  /** why there could be no such process */
  err?: Error;
}

/**
 * Runs the hub in several processes on one port, each a node like any other (`serve`). This one hands connections to them
 * in turn, puts others in the place of those that die, and passes signals on. The first starts alone: it makes and migrates
 * what is not there yet.
 * @returns where the first worker cannot start, which then has said why
 * @throws OperatorError where workers cannot start any more
 */
export async function superviseWorkers(config: Config): Promise<void> {
  const logger = pino({ level: config.logLevel }).child({ worker: 'none: supervises' });
  const crew = new Set<Started>();
  let isStopping = false;
  let failedStarts = 0;

  const skip: closeWithGrace.Signals[] = config.tls ? ['SIGHUP'] : [];
  // The workers end by themselves within stopMsMax, or are killed.
  const grace = closeWithGrace({ delay: stopMsMax + 5000, logger, skip }, async ({ signal, err }) => {
    ignoreFurtherSignals();
    if (err) logger.fatal({ err }, 'stopping after an error that nothing caught');
    else logger.info({ signal }, 'stopping: the workers finish their requests');
    isStopping = true;
    await stop(crew);
    logger.info('stopped');
  });
  if (config.tls) process.on('SIGHUP', () => passHangupOn(crew));

  /** Sees to it that there is a worker, in the place of this one when it ends. */
  async function keep(started: Started): Promise<void> {
    let current = started;
    for (let deaths = 0; ; ) {
      failedStarts = (await current.isReady) ? 0 : failedStarts + 1;
      const exit = await current.exit;
      crew.delete(current);
      if (isStopping) return;
      if (failedStarts >= failedStartsMax) {
        throw new OperatorError('Workers of the hub cannot start any more; what they said last tells why.');
      }
      deaths = performance.now() - current.bornAt > steadyMs ? 0 : deaths + 1;
      const pauseMs = deaths === 0 ? 0 : Math.min(pauseMsMin * 2 ** (deaths - 1), pauseMsMax);
      logger.error({ ended: current.worker.id, ...exit, pauseMs }, 'a worker has ended; another one follows');
      await sleep(pauseMs);
      if (isStopping) return;
      current = startWorker(crew);
    }
  }

  const first = startWorker(crew);
  if (!(await first.isReady) && !isStopping) {
    grace.uninstall();
    process.exitCode = (await first.exit).code || 1;
    return;
  }
  try {
    const others = isStopping ? [] : Array.from({ length: config.workers - 1 }, () => startWorker(crew));
    await Promise.all([first, ...others].map(keep));
  } catch (error) {
    isStopping = true;
    grace.uninstall();
    await stop(crew);
    throw error;
  }
}

function startWorker(crew: Set<Started>): Started {
  const worker = cluster.fork();
  const exit = new Promise<Exit>(resolve => {
    worker.once('exit', (code, signal) => resolve({ code, signal }));
    worker.on('error', err => worker.process.pid === undefined && resolve({ err }));
  });
  // The one message that a worker ever sends says that it is ready.
  const isReady = new Promise<boolean>(resolve => {
    worker.once('message', () => resolve(true));
    exit.then(() => resolve(false));
  });
  const started = { worker, bornAt: performance.now(), isReady, exit };
  crew.add(started);
  return started;
}

/** Ends when all of them have ended, which may take as long as a node may take to stop. */
async function stop(crew: Set<Started>): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    for (const { worker } of crew) worker.process.kill(name);
  };
  signal('SIGTERM');
  const killing = setTimeout(signal, stopMsMax + 1000, 'SIGKILL');
  await Promise.all([...crew].map(({ exit }) => exit));
  clearTimeout(killing);
}

/** Each reads its certificate again, one that is starting as soon as it can hear of it. */
function passHangupOn(crew: Set<Started>): void {
  for (const { worker, isReady } of crew) isReady.then(ready => ready && worker.process.kill('SIGHUP'));
}
