import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { createAddressMatcher } from '../auth/addresses.ts';
import { readCertificateHeader } from '../auth/client-certificate.ts';
import { toThumbprint } from '../auth/confirmation.ts';
import type { Config } from '../config.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** the thumbprint of the certificate that the client has shown (RFC 8705 §3.1), where it was verified */
    readonly clientCertificate: string | undefined;
  }
}

/**
 * Finds the client certificate: in the header, where the connection itself comes from the proxy, else in the connection.
 * Whatever X-Forwarded-For says is of no matter here, and so is the proxy's own certificate.
 */
export const clientCertificate = fp(async (app, { config }: { config: Config }) => {
  const header = config.clientCertificateHeader;
  const isProxy = createAddressMatcher(header?.from ?? []);
  app.decorateRequest('clientCertificate', {
    // Only bound tokens ask for it.
    getter(this: FastifyRequest) {
      const { socket } = this.raw;
      return header && isProxy(socket.remoteAddress) ? readHeader(this, header.name) : readSocket(socket);
    },
  });
});

// A header that came twice is one of the proxy's and one that it let pass.
function readHeader({ raw }: FastifyRequest, name: string): string | undefined {
  const values = raw.rawHeaders.filter((_, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === name);
  return values.length === 1 ? readCertificateHeader(values[0] as string) : undefined;
}

function readSocket(socket: FastifyRequest['raw']['socket']): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  return certificate && toThumbprint(certificate);
}
