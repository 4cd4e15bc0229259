import { queryOptions } from '@tanstack/react-query';
import { ApiError, api, got, type Schemas } from '../../api/client';

export type Connection = Schemas['Connection'];
export type Kind = Schemas['ConnectionKind'];
export type ConnectionInput = Schemas['ConnectionInput'];
export type Saved = Schemas['SavedConnection'];
export type MicrosoftKind = Exclude<Kind, 'manage'>;

export const connectionsQuery = queryOptions({ queryKey: ['connections'], queryFn: () => got(api.GET('/connections')), staleTime: 5_000 });

export const connectionQuery = (id: number) =>
  queryOptions({
    queryKey: ['connections', id],
    queryFn: () => got(api.GET('/connections/{connection}', { params: { path: { connection: id } } })),
    staleTime: 0,
  });

export const kindWords: Record<Kind, string> = {
  manage: 'ConnectWise Manage',
  partnerConsent: 'Partner consent',
  partnerApp: 'Partner app',
  tenantApp: 'Own app in one tenant',
  password: 'User name and password',
};

/** What each kind is for, in one sentence. */
export const kindSentences: Record<MicrosoftKind, string> = {
  partnerConsent: 'An admin of the partner signs in once, and all customers are read through it.',
  partnerApp: 'An app of yours that each customer lets in by a link.',
  tenantApp: "An app registered in one customer's own tenant.",
  password: 'Only for accounts without multi-factor authentication, which Microsoft is ending.',
};

export const microsoftKinds = Object.keys(kindSentences) as MicrosoftKind[];

export const secretWords: Record<Schemas['SecretState']['name'], string> = {
  privateKey: 'Private key',
  clientSecret: 'Client secret',
  clientCertificate: 'Certificate',
  password: 'Password',
  refreshToken: 'Sign-in',
};

/** Where Microsoft sends a person back to; the app must know it. */
export const redirectAddress = () => `${location.origin}/api/v1/consent/callback`;

export const isPartner = (kind: Kind) => kind === 'partnerConsent' || kind === 'partnerApp';

/** Whether somebody must sign in at Microsoft before it can be used. */
export const wantsSignIn = (c: Connection) => c.kind === 'partnerConsent' && !c.secrets.some((s) => s.name === 'refreshToken' && s.set);

export const fieldsOf = (error: unknown) => (error instanceof ApiError ? error.fields : {});

/** What a saved form leaves out stays as it is; what was never there isn't sent at all. */
export const filled = <T extends object>(values: T) => Object.fromEntries(Object.entries(values).filter(([, v]) => v !== '' && v !== undefined)) as Partial<T>;
