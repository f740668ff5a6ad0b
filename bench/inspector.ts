import { once } from 'node:events';
import { WebSocket } from 'undici';
import type { CpuProfile } from './cpu-profile.ts';

/** Profiles the process behind an inspector (`node --inspect`) while some work is being done. */
export async function profileDuring<Result>(inspectorUrl: string, work: () => Promise<Result>) {
  const [target] = (await (await fetch(`${inspectorUrl}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl as string);
  await once(socket, 'open');
  let id = 0;
  const call = (method: string) =>
    new Promise<{ profile: CpuProfile }>((resolve, reject) => {
      id += 1;
      const sent = id;
      const listen = ({ data }: { data: string }) => {
        const message = JSON.parse(data);
        if (message.id !== sent) return;
        socket.removeEventListener('message', listen);
        if (message.error) reject(new Error(message.error.message));
        else resolve(message.result);
      };
      socket.addEventListener('message', listen);
      socket.send(JSON.stringify({ id, method }));
    });
  try {
    await call('Profiler.enable');
    await call('Profiler.start');
    const result = await work();
    const { profile } = await call('Profiler.stop');
    return { result, profile };
  } finally {
    socket.close();
  }
}
