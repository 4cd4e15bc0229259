// Package store keeps everything of Trueup in Postgres.
//
// Every row belongs to a workspace, and the types say so: Store.In(workspace) gives a
// Scope, which carries the workspace into each of its queries, so that none can forget
// it. What spans workspaces is small and stands on Store itself: claiming due work,
// the heartbeats of processes, listing workspaces, re-wrapping secrets.
//
// SQL is written by hand in the file of its aggregate, with explicit columns, and is
// all prepared by Open: a typing error stops the start and not the night run.
// Transactions are visible: Store.InTx gives a Tx, Tx.In a Scope whose queries run in
// it. A transaction has one now, the database's; leases and due rows know no other
// clock.
//
// What a run may write is fenced by its claim: BeginRun, Journal, CloseChange and
// FinishRun refuse with ErrStale when the lease went to somebody else.
package store
