// Package migrations holds the database's shape: numbered goose files, applied in
// order and never changed once released, and schema.sql, what they add up to.
package migrations

import "embed"

// Files are the numbered migrations, NNNN_name.sql, each with a way up and down.
//
//go:embed *_*.sql
var Files embed.FS

// Schema is what pg_dump prints of a migrated database, without what differs from
// server to server; a test keeps it true.
//
//go:embed schema.sql
var Schema string
