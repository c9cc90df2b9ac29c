import type { Endpoint, QueryService } from './service.ts';

const HEADERS = { 'content-type': 'text/xml;charset=UTF-8' };

export function queryEndpoint(service: QueryService): Endpoint {
  return {
    signingName: service.signingName,
    read(request) {
      const form = new URLSearchParams(request.body.toString('utf8'));
      return {
        name: String(form.get('Action')),
        demands: () => service.demands(form),
        run: async () => ({ status: 200, headers: HEADERS, body: service.call(form) }),
      };
    },
    renderError({ code, message, status }) {
      const name = code === 'AccessDeniedException' ? 'UnauthorizedOperation' : code;
      const error = `<Error><Code>${escapeXml(name)}</Code><Message>${escapeXml(message)}</Message></Error>`;
      return {
        status,
        headers: HEADERS,
        body: `<Response><Errors>${error}</Errors><RequestID>lab</RequestID></Response>`,
      };
    },
  };
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
