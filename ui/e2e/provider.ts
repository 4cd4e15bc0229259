import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const part = (of: unknown) => Buffer.from(JSON.stringify(of)).toString('base64url');

/**
 * An OpenID provider (OpenID Connect Core 1.0, authorization code flow) at which everybody
 * is the person with one address.
 */
export async function provider(email: string, client: string) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const nonces = new Map<string, string>();
  let issuer = '';
  const idToken = (nonce: string) => {
    const now = Math.floor(Date.now() / 1000);
    const text = `${part({ alg: 'RS256', typ: 'JWT', kid: 'k' })}.${part({ iss: issuer, sub: 'subject-1', aud: client, nonce, email, email_verified: true, iat: now, exp: now + 600 })}`;
    return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
  };
  const server = createServer((request, response) => {
    const at = new URL(request.url ?? '/', issuer);
    const say = (body: unknown) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body));
    if (at.pathname === '/.well-known/openid-configuration') {
      say({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      });
    } else if (at.pathname === '/keys') {
      say({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256', use: 'sig' }] });
    } else if (at.pathname === '/authorize') {
      const code = randomUUID();
      nonces.set(code, at.searchParams.get('nonce') ?? '');
      const back = new URL(at.searchParams.get('redirect_uri') ?? issuer);
      back.search = new URLSearchParams({ code, state: at.searchParams.get('state') ?? '' }).toString();
      response.writeHead(302, { Location: back.href }).end();
    } else if (at.pathname === '/token') {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        const code = new URLSearchParams(text).get('code') ?? '';
        say({ access_token: 'a', token_type: 'Bearer', expires_in: 600, id_token: idToken(nonces.get(code) ?? '') });
        nonces.delete(code);
      });
    } else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { issuer, close: () => new Promise<unknown>((closed) => server.close(closed)) };
}
