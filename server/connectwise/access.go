package connectwise

import (
	"context"
	"net/http"
)

// Access is the way to the same Manage for who calls it by addresses of its own: with the
// client's limits, address guard and credentials.
type Access struct {
	// API is the address of the REST API with the codebase as it is now, such as
	// https://api-na.myconnectwise.net/v2026_1/apis/3.0.
	API string
	// Site is the origin at which people use this Manage, https://na.myconnectwise.net, and
	// Company the login company.
	Site, Company string
	ClientID      string
	// HTTP makes the calls: it follows no redirects, and its answers are bounded.
	HTTP *http.Client
	// Sign puts the API member's credentials on a request.
	Sign func(*http.Request)
}

// Access asks the site for the codebase anew, so that an upgrade since the last call is
// noticed before the first one.
//
// Vendor page: Developer Guide, "Codebase".
func (c *Client) Access(ctx context.Context) (Access, error) {
	known, err := c.codebase(ctx, "")
	if err == nil {
		known, err = c.codebase(ctx, known)
	}
	if err != nil {
		return Access{}, err
	}
	return Access{
		API:  c.site.scheme + "://" + c.site.api + "/" + known + "/apis/3.0",
		Site: c.site.scheme + "://" + c.site.login, Company: c.company, ClientID: c.clientID, HTTP: c.http,
		Sign: func(r *http.Request) {
			r.SetBasicAuth(c.user, c.private)
			r.Header.Set("Clientid", c.clientID)
		},
	}, nil
}
