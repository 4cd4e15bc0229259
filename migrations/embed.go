// Package migrations holds the database's shape: numbered goose files, applied in
// order and never changed once released, and schema.sql, what they add up to: what
// pg_dump prints, without what differs from server to server. A test keeps it true.
package migrations

import "embed"

// Files are the numbered migrations, NNNN_name.sql, each with a way up and down.
//
//go:embed *_*.sql
var Files embed.FS
