import { jsonError } from './error-answer.ts';
import { callOf, parseObject } from './json-protocol.ts';
import type { Endpoint, RestService } from './service.ts';

export function restEndpoint(service: RestService): Endpoint {
  const { signingName, operations } = service;
  return {
    signingName,
    read({ method, url, body }) {
      const { pathname, searchParams } = new URL(url, 'https://aws');
      const found = service.route(method, decodeURIComponent(pathname));
      const input = { ...parseObject(body), ...Object.fromEntries(searchParams), ...found?.fields };
      const name = found?.operation ?? `${method} ${pathname}`;
      return callOf(signingName, name, operations[name], input, 'application/json');
    },
    renderError: (error) => jsonError(error, 403),
  };
}
