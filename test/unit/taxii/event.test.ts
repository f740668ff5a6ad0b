import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toEvent } from '../../../src/taxii/event.ts';
import { parseEvents, type StreamEvent } from '../../support/event-stream.ts';

const whitespace = fc.stringMatching(/^[ \t\r\n]{0,4}$/);

async function collect(bytes: Buffer, cut: number): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
  for await (const event of parseEvents(
    (async function* () {
      yield* pieces;
    })(),
  ))
    events.push(event);
  return events;
}

describe('events', () => {
  it('carry any JSON text, with whatever white space between its tokens, in whatever pieces they come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.json(), whitespace)), fc.nat(), async (values, cut) => {
        const data = `[${values.map(([json, space]) => `${space}${json}${space}`).join(',')}]`;
        const bytes = Buffer.concat([...toEvent('one', Buffer.from(data)), ...toEvent('two', Buffer.from('{}'))]);
        const events = await collect(bytes, cut % bytes.length);
        expect(events.map(({ id }) => id)).toEqual(['one', 'two']);
        expect(JSON.parse(events[0]?.data as string)).toEqual(JSON.parse(data));
        // All but the line breaks is as it was.
        expect(events[0]?.data).toBe(data.replace(/\r\n|\r/g, '\n'));
      }),
    );
  });

  it.each([' ', '\r\n'])('share large data between all who are sent it, with %j between its tokens', space => {
    const data = Buffer.from(`["${'x'.repeat(100_000)}",${space}1]`);
    const [one, two] = [toEvent('one', data), toEvent('two', data)];
    expect(one[1]).toBe(two[1]);
    for (const pieces of [one, two]) expect(pieces.filter(piece => piece !== one[1] && piece.length > 100)).toEqual([]);
  });
});
