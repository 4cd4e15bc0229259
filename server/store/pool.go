package store

// SetMaxConns bounds the pool anew, for a batch that has many statements and few of a
// kind. A server process plans each statement once for itself and maps every page of the
// shared memory that it looks at, which together takes it as long as a hundred customers
// do; and more of them than processors only wait for each other.
func (s *Store) SetMaxConns(n int) {
	s.db.SetMaxOpenConns(n)
	s.db.SetMaxIdleConns(n)
}
