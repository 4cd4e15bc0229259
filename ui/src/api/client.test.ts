import { afterEach, expect, test, vi } from 'vitest';
import { ApiError, api, forget, got, match } from './client';

const answers = (...all: Response[]) => {
  const asked: Request[] = [];
  vi.stubGlobal('fetch', (r: Request) => {
    asked.push(r);
    return Promise.resolve(all.shift() ?? Response.error());
  });
  return asked;
};
const json = (body: unknown, init: ResponseInit = {}) => new Response(JSON.stringify(body), { ...init, headers: { 'Content-Type': 'application/json', ...init.headers } });

afterEach(() => {
  forget();
  vi.unstubAllGlobals();
});

test('a problem is an error with its code, sentences, reference and fields', async () => {
  answers(
    json(
      { type: 'about:blank', title: 'x', status: 422, code: 'invalid', detail: 'It cannot be.', action: 'Correct it.', reference: 'r-1', faults: [{ field: 'name', code: 'short', text: 'Say more.' }] },
      { status: 422, headers: { 'Content-Type': 'application/problem+json' } },
    ),
  );
  const error = await got(api.GET('/overview')).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 422, code: 'invalid', detail: 'It cannot be.', action: 'Correct it.', reference: 'r-1', fields: { name: 'Say more.' } });
});

test('a proxy that answers for us is told by the request id', async () => {
  answers(new Response('<html>Bad gateway</html>', { status: 502, headers: { 'X-Request-Id': 'proxy-77', 'Content-Type': 'text/html' } }));
  await expect(got(api.GET('/overview'))).rejects.toMatchObject({ status: 502, code: 'unexpected', reference: 'proxy-77' });
});

test('no answer says what to do', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('network')));
  await expect(got(api.GET('/overview'))).rejects.toMatchObject({ status: 0, code: 'unreachable', action: 'Check your connection, then try again.' });
});

test('what did not change is not sent again', async () => {
  const asked = answers(json({ customers: 3 }, { headers: { ETag: '"v1"' } }), new Response(null, { status: 304 }), json({ customers: 4 }, { headers: { ETag: '"v2"' } }));
  expect(await got(api.GET('/overview'))).toEqual({ customers: 3 });
  expect(await got(api.GET('/overview'))).toEqual({ customers: 3 });
  expect(asked[1]?.headers.get('If-None-Match')).toBe('"v1"');
  forget();
  expect(await got(api.GET('/overview'))).toEqual({ customers: 4 });
  expect(asked[2]?.headers.get('If-None-Match')).toBeNull();
});

test('a version is given back in quotes', () => {
  expect(match('abc')).toEqual({ 'If-Match': '"abc"' });
  expect(match('"abc"')).toEqual({ 'If-Match': '"abc"' });
  expect(match('W/"abc"')).toEqual({ 'If-Match': '"abc"' });
});
