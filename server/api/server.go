package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"
)

// Config is what New needs: who knows people, and for each screen who knows its things.
// A screen that is left nil has no operations.
type Config struct {
	Log    *slog.Logger
	People People
	// Known says what errors of what main wires in mean to a person; default: nothing is.
	Known Known
	// Reference is the id of a request, which joins an answer to the log.
	Reference func(context.Context) string
	// PublicURL is the address that people use, "" when it isn't set: its origin is
	// trusted beside the one that a request names, and https asks browsers to stay with it.
	PublicURL string
	Version   string
	Now       func() time.Time // default time.Now

	Hub  *Hub // default: one that nobody feeds
	Live Live

	Session       SessionBook       // D0: session.go
	Setup         SetupBook         // D1: setup.go
	Overview      OverviewBook      // D2: overview.go
	Approvals     ApprovalsBook     // D3: approvals.go
	Links         LinksBook         // D4: links.go
	Customers     CustomersBook     // D5: customers.go
	Profiles      ProfilesBook      // D6: profiles.go
	Manage        ManageBook        // D6: manage.go
	Connections   ConnectionsBook   // D7: connections.go
	Installation  InstallationBook  // D7: installation.go
	History       HistoryBook       // D8: history.go
	Notifications NotificationsBook // D9: notifications.go
	Users         UsersBook         // D10: users.go
	Workspace     WorkspaceBook     // workspace.go
	Cutover       CutoverBook       // cutover.go
	Service       ServiceBook       // service.go
	Embed         EmbedBook         // E: embed.go, embedview.go, embedbound.go
}

// Server answers the operations of openapi.yaml.
type Server struct {
	log       *slog.Logger
	people    People
	known     Known
	reference func(context.Context) string
	crossSite *http.CrossOriginProtection
	secure    bool // the public address is https
	hub       *Hub
	embed     EmbedReach

	doc     *openapi3.T
	routes  []Route
	byRoute map[string]*Route // by method and route
	missing map[string]bool   // operations without a handler, by id
	screens *all
}

// New makes the server. An operation that nobody says who may use it is an error.
func New(c Config) (*Server, error) {
	doc, err := Document()
	if err != nil {
		return nil, err
	}
	s := &Server{
		log: c.Log, people: c.People, known: c.Known, reference: c.Reference, doc: doc, hub: c.Hub, embed: c.Embed,
		crossSite: http.NewCrossOriginProtection(), secure: strings.HasPrefix(c.PublicURL, "https://"),
		byRoute: map[string]*Route{}, missing: map[string]bool{},
	}
	if s.log == nil || s.people == nil {
		return nil, errors.New("the API needs a log and somebody who knows people")
	}
	if s.known == nil {
		s.known = func(error) error { return nil }
	}
	if s.reference == nil {
		s.reference = func(context.Context) string { return "" }
	}
	if s.hub == nil {
		s.hub = NewHub("0")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.PublicURL != "" {
		if err := s.crossSite.AddTrustedOrigin(strings.TrimSuffix(c.PublicURL, "/")); err != nil {
			return nil, fmt.Errorf("trust the public address: %w", err)
		}
	}
	if s.routes, err = Routes(doc); err != nil {
		return nil, err
	}
	var there []any
	s.screens, there = screens(c, s.hub)
	for i := range s.routes {
		r := &s.routes[i]
		s.byRoute[r.Method+" "+r.Pattern()] = r
		s.missing[r.ID] = !answers(there, r.ID)
	}
	return s, nil
}

// Missing lists the operations of the document that no screen answers, by id.
func (s *Server) Missing() []string {
	var ids []string
	for _, r := range s.routes {
		if s.missing[r.ID] {
			ids = append(ids, r.Screen+" "+r.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// Mount puts the API and its documentation under /api of an engine, which has given the
// request its id already and answers a panic.
func (s *Server) Mount(g *gin.Engine) error {
	g.ContextWithFallback = true // handlers see the request's context
	if err := s.mountDocs(g); err != nil {
		return err
	}
	in := g.Group(Base, s.headers, s.admit, s.poll, s.check)
	RegisterHandlersWithOptions(in, NewStrictHandlerWithOptions(s.screens, []StrictMiddlewareFunc{s.bound}, StrictGinServerOptions{
		RequestErrorHandlerFunc:  func(c *gin.Context, err error) { s.refuse(c, fmt.Errorf("%w: %w", errUnreadable, err)) },
		HandlerErrorFunc:         s.refuse,
		ResponseErrorHandlerFunc: s.refuse,
	}), GinServerOptions{ErrorHandler: func(c *gin.Context, err error, _ int) {
		s.refuse(c, fmt.Errorf("%w: %w", errUnreadable, err))
	}})
	return nil
}

// Secure says whether people come by https, as the public address says.
func (s *Server) Secure() bool { return s.secure }

// Close ends what lasts, so that the process can stop.
func (s *Server) Close() { s.hub.Close() }

// headers are on every answer under /api: nothing is kept, framed or guessed at.
func (s *Server) headers(c *gin.Context) {
	h := c.Writer.Header()
	if h.Get("Content-Security-Policy") == "" {
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	}
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if s.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	c.Next()
}

// all is every screen as one, for the generated routes. Rest stands deeper, so that a
// method of a screen hides its own; it is empty, and what only it has is missing.
type all struct {
	sessionScreen
	setupScreen
	overviewScreen
	approvalsScreen
	linksScreen
	customersScreen
	profilesScreen
	manageScreen
	connectionsScreen
	installationScreen
	historyScreen
	eventsScreen
	notificationsScreen
	usersScreen
	workspaceScreen
	cutoverScreen
	serviceScreen
	embedScreen
	rest
}

type rest struct{ StrictServerInterface }

// screens are all screens as one, and those that somebody keeps, each by itself.
func screens(c Config, hub *Hub) (*all, []any) {
	a := &all{
		sessionScreen{c.Session, c.Version}, setupScreen{c.Setup}, overviewScreen{c.Overview}, approvalsScreen{c.Approvals, c.Now},
		linksScreen{c.Links, c.Now}, customersScreen{c.Customers, c.Now}, profilesScreen{c.Profiles}, manageScreen{c.Manage},
		connectionsScreen{c.Connections, c.Now}, installationScreen{c.Installation}, historyScreen{c.History, c.Now}, eventsScreen{hub, c.Live},
		notificationsScreen{c.Notifications}, usersScreen{c.Users}, workspaceScreen{c.Workspace}, cutoverScreen{c.Cutover},
		serviceScreen{c.Service, c.Version}, embedScreen{c.Embed, c.History, c.Customers, c.Profiles, hub, c.Now}, rest{},
	}
	var there []any
	for _, one := range []struct{ book, screen any }{
		{c.Session, a.sessionScreen}, {c.Setup, a.setupScreen}, {c.Overview, a.overviewScreen}, {c.Approvals, a.approvalsScreen},
		{c.Links, a.linksScreen}, {c.Customers, a.customersScreen}, {c.Profiles, a.profilesScreen}, {c.Manage, a.manageScreen},
		{c.Connections, a.connectionsScreen}, {c.Installation, a.installationScreen}, {c.History, a.historyScreen}, {c.Live, a.eventsScreen},
		{c.Notifications, a.notificationsScreen}, {c.Users, a.usersScreen}, {c.Workspace, a.workspaceScreen},
		{c.Cutover, a.cutoverScreen}, {c.Service, a.serviceScreen}, {c.Embed, a.embedScreen},
	} {
		if one.book != nil {
			there = append(there, one.screen)
		}
	}
	return a, there
}

// answers says whether one of the screens has the method of an operation. The generated
// names write initialisms in capitals.
func answers(screens []any, operation string) bool {
	return slices.ContainsFunc(screens, func(screen any) bool {
		t := reflect.TypeOf(screen)
		for i := range t.NumMethod() {
			if strings.EqualFold(t.Method(i).Name, operation) {
				return true
			}
		}
		return false
	})
}
