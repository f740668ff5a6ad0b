/** The ceiling of polls that bring nothing: a Fastify route that answers the same few bytes to everybody. `<port> <body>` */
import Fastify from 'fastify';
import { mediaType } from '../exchange.ts';

const [port, text] = process.argv.slice(2) as [string, string];
const body = Buffer.from(text);
const app = Fastify();
app.get('/', async (_, reply) => reply.header('content-type', mediaType).send(body));
await app.listen({ host: '127.0.0.1', port: Number(port) });
process.once('SIGTERM', () => process.exit(0));
