import type { Endpoint, QueryService } from './service.ts';

const HEADERS = { 'content-type': 'text/xml;charset=UTF-8' };

const ERRORS = {
  Ec2: (code: string, message: string) => {
    const name = code === 'AccessDeniedException' ? 'UnauthorizedOperation' : code;
    return `<Response><Errors><Error><Code>${escapeXml(name)}</Code><Message>${message}</Message></Error></Errors><RequestID>lab</RequestID></Response>`;
  },
  Query: (code: string, message: string) => {
    const name = code === 'AccessDeniedException' ? 'AccessDenied' : code;
    return `<ErrorResponse><Error><Type>Sender</Type><Code>${escapeXml(name)}</Code><Message>${message}</Message></Error><RequestId>lab</RequestId></ErrorResponse>`;
  },
};

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
      return { status, headers: HEADERS, body: ERRORS[service.errorForm](code, escapeXml(message)) };
    },
  };
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
