import { Button } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { Component, type ReactNode } from 'react';
import { ApiError } from '../api/client';

/** A screen or section that has nothing to show: what is so, why, and the next step. */
export function State({ title, children, action, screen = false }: { title: ReactNode; children?: ReactNode; action?: ReactNode; screen?: boolean }) {
  const Title = screen ? 'h1' : 'h2';
  return (
    <div className="state">
      <Title>{title}</Title>
      {children && <p>{children}</p>}
      {action && <div className="row">{action}</div>}
    </div>
  );
}

const asFault = (error: unknown) =>
  error instanceof ApiError
    ? error
    : new ApiError({ status: 0, code: 'page_broken', detail: 'This part of the page broke.', action: 'Reload the page; if it stays, say so to an administrator.' });

/** Code and reference of a fault, small: they join it to the log. */
export function Reference({ error }: { error: unknown }) {
  const { code, reference } = asFault(error);
  return (
    <span className="small quiet">
      {code}
      {reference && (
        <>
          , reference <span data-reference>{reference}</span>
        </>
      )}
    </span>
  );
}

/** What went wrong, in one line where it went wrong. */
export function FaultNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const fault = asFault(error);
  return (
    <div className="note bad" role="alert">
      <div>
        {fault.detail} {fault.action}
        {fault.status !== 422 && (
          <div>
            <Reference error={fault} />
          </div>
        )}
      </div>
      {onRetry && (
        <Button size="xs" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** What went wrong, in the place of a whole screen or section. */
export function FaultState({ what, error, onRetry, screen }: { what: string; error: unknown; onRetry?: () => void; screen?: boolean }) {
  const fault = asFault(error);
  return (
    <div role="alert">
      <State title={`${what} could not be loaded`} screen={screen} action={onRetry && <Button onClick={onRetry}>Try again</Button>}>
        {fault.detail} {fault.action}
        <br />
        <Reference error={fault} />
      </State>
    </div>
  );
}

export function Bones({ rows = 8 }: { rows?: number }) {
  return (
    <div aria-busy="true" aria-label="Loading" role="status" className="stack loose" style={{ padding: '16px 20px' }}>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className="bone" style={{ width: `${88 - ((i * 23) % 45)}%` }} />
      ))}
    </div>
  );
}

/** What a query brings, or that it is on its way, or why it doesn't come. */
export function Loaded<T>({ query, what, rows, children }: { query: UseQueryResult<T>; what: string; rows?: number; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <FaultState what={what} error={query.error} onRetry={() => void query.refetch()} />;
  return <Bones rows={rows} />;
}

/** Keeps a section that breaks from taking the page along. */
export class Section extends Component<{ what: string; children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return <FaultState what={this.props.what} error={this.state.error} onRetry={() => this.setState({ error: undefined })} />;
  }
}
