package main

import (
	"errors"
	"net/http"

	"trueup/server/account"
	"trueup/server/api"
)

// newAPI introduces the API to who keeps the things of each screen: a file api_*.go a
// screen.
func newAPI(p *product, ready *readiness, accounts *account.Accounts, people api.People) (*api.Server, error) {
	going, links := newErrands(p), newLinksBook(p)
	embed, err := newEmbedBook(p, links)
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{
		Log: p.log, People: people, Known: knownError, Reference: requestOf, Version: version, Now: p.now,
		PublicURL:     p.Settings.PublicURL,
		Session:       accounts,
		Users:         usersBook{accounts, p.store},
		Approvals:     approvalsBook{p},
		Links:         links,
		Overview:      overviewBook{p},
		Customers:     newCustomersBook(p),
		History:       historyBook{p},
		Notifications: noticesBook{p, &lastTests{}},
		Hub:           p.live.hub,
		Live:          p.live,
		Setup:         setupBook{p},
		Profiles:      profilesBook{p},
		Manage:        manageBook{p},
		Connections:   connectionsBook{p, going},
		Installation:  installationBook{p, going},
		Cutover:       cutoverBook{p, going},
		Workspace:     workspaceBook{p},
		Service:       serviceBook{p, ready},
		Embed:         embed,
	})
}

// knownError says what an error of the adapters means to a person: they have words of
// their own for what Manage and Microsoft answered.
func knownError(err error) error {
	var told interface {
		Code() string
		Text() string
		Action() string
	}
	if errors.As(err, &told) {
		return &api.Refusal{Status: http.StatusBadGateway, Code: told.Code(), Detail: told.Text(), Action: told.Action(), Cause: err}
	}
	return nil
}
