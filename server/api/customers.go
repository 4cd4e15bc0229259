package api

import "time"

// CustomersBook is what the screen needs. D5: customers and matching.
type CustomersBook interface{}

type customersScreen struct {
	book CustomersBook
	now  func() time.Time
}
