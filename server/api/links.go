package api

import "time"

// LinksBook is what the screen needs. D4: licenses, links, suggestions and rules.
type LinksBook interface{}

type linksScreen struct {
	book LinksBook
	now  func() time.Time
}
