package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"trueup/plugin"
	"trueup/server/api"
	"trueup/ui"
)

// requestHeader carries the id of a request, which stands in the answer and in every
// line that is logged for it.
const requestHeader = "X-Request-Id"

// newWeb is everything that is served on TRUEUP_LISTEN; more serves what isn't for pages.
func newWeb(s Settings, ready *readiness, log *slog.Logger, door *api.Server, framing func(context.Context, string) (string, error), more ...func(*gin.Engine)) (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.RedirectTrailingSlash = false
	if err := g.SetTrustedProxies(s.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trust proxies: %w", err)
	}
	w := &web{log: log, ready: ready, trusted: networks(s.TrustedProxies)}
	g.Use(w.identify, w.logged, w.recovered)
	w.health(g)
	if err := door.Mount(g); err != nil {
		return nil, err
	}
	for _, mount := range more {
		mount(g)
	}
	pages, err := ui.NewPages(ui.Files(), door.Secure())
	if err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	embedPages(g, pages, framing, log)
	g.NoRoute(func(c *gin.Context) {
		if path := c.Request.URL.Path; path == "/callbacks" || strings.HasPrefix(path, "/callbacks/") {
			refuseCallback(c, plugin.CallbackUnknown) // Manage would try again after a 404
			return
		}
		if strings.HasPrefix(c.Request.URL.Path, "/api/") || !pages.Serve(c.Writer, c.Request) {
			refuse(c, http.StatusNotFound, "not_found", "There is nothing at this address.", "Check the address.")
		}
	})
	return g, nil
}

// newProbes is what the listener of the figures serves beside them, so that a process
// without pages can be asked for its health too.
func newProbes(m *metrics, ready *readiness, log *slog.Logger) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	w := &web{log: log, ready: ready}
	g.Use(w.identify, w.recovered)
	w.health(g)
	g.GET("/metrics", gin.WrapH(m.handler(log)))
	g.NoRoute(func(c *gin.Context) {
		refuse(c, http.StatusNotFound, "not_found", "There is nothing at this address.", "The figures are at /metrics.")
	})
	return g
}

type web struct {
	log     *slog.Logger
	ready   *readiness
	trusted []netip.Prefix
}

// health answers whoever watches over the process: /healthz that it lives, /readyz that
// it can do its work, or why not.
func (w *web) health(g *gin.Engine) {
	both := []string{http.MethodGet, http.MethodHead}
	g.Match(both, "/healthz", func(c *gin.Context) {
		c.Header("Cache-Control", "no-store")
		c.JSON(http.StatusOK, gin.H{"status": "alive"})
	})
	g.Match(both, "/readyz", func(c *gin.Context) {
		status := http.StatusOK
		reasons := w.ready.reasons(c.Request.Context())
		if len(reasons) > 0 {
			status = http.StatusServiceUnavailable
		}
		c.Header("Cache-Control", "no-store")
		c.JSON(status, gin.H{"ready": len(reasons) == 0, "reasons": reasons})
	})
}

// problem is an answer that isn't what was asked for (RFC 9457): a code for programs, for
// people a sentence of what happened and one of what to do, and the reference that joins
// it to the log.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	Action    string `json:"action"`
	Reference string `json:"reference"`
}

func refuse(c *gin.Context, status int, code, detail, action string) {
	c.Header("Content-Type", "application/problem+json")
	c.AbortWithStatusJSON(status, problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail, Action: action,
		Reference: requestOf(c.Request.Context()),
	})
}

// fitting is a request id that others may choose: nothing that could break a log.
var fitting = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// identify gives the request an id: the one that a trusted proxy gave it, else a new one.
func (w *web) identify(c *gin.Context) {
	id := c.GetHeader(requestHeader)
	if !fitting.MatchString(id) || !w.trusts(c.RemoteIP()) {
		id = strings.ToLower(rand.Text())
	}
	c.Request = c.Request.WithContext(withRequest(c.Request.Context(), id))
	c.Header(requestHeader, id)
	c.Header("X-Content-Type-Options", "nosniff")
	c.Next()
}

func (w *web) trusts(remote string) bool {
	ip, err := netip.ParseAddr(remote)
	return err == nil && slices.ContainsFunc(w.trusted, func(n netip.Prefix) bool { return n.Contains(ip.Unmap()) })
}

// networks are addresses and networks as the settings have checked them.
func networks(texts []string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		if n, err := netip.ParsePrefix(text); err == nil {
			all = append(all, n)
		} else if ip, err := netip.ParseAddr(text); err == nil {
			all = append(all, netip.PrefixFrom(ip, ip.BitLen()))
		}
	}
	return all
}

// logged logs the request by its route's pattern: addresses may hold secrets.
func (w *web) logged(c *gin.Context) {
	began := time.Now()
	c.Next()
	level := slog.LevelInfo
	if c.Writer.Status() >= http.StatusInternalServerError && c.FullPath() != "/readyz" {
		level = slog.LevelError
	}
	w.log.LogAttrs(c.Request.Context(), level, "answered", slog.String("method", c.Request.Method), slog.String("route", or(c.FullPath(), "none")),
		slog.Int("status", c.Writer.Status()), slog.String("client", c.ClientIP()), slog.Duration("took", time.Since(began)))
}

// recovered answers a request whose handler panicked.
func (w *web) recovered(c *gin.Context) {
	defer func() {
		if r := recover(); r != nil {
			w.log.ErrorContext(c.Request.Context(), "panic", "route", c.FullPath(), "panic", r, "stack", string(debug.Stack()))
			refuse(c, http.StatusInternalServerError, "unexpected", "Something unexpected went wrong.", "Try again; if it stays, look the reference up in the log.")
		}
	}()
	c.Next()
}

type requestKey struct{}

func withRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

func requestOf(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// joined is a log that puts the request's id into each line that is logged for one.
type joined struct{ slog.Handler }

func (j joined) Handle(ctx context.Context, r slog.Record) error {
	if id := requestOf(ctx); id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	return j.Handler.Handle(ctx, r) //nolint:wrapcheck // it stands in its place
}

func (j joined) WithAttrs(attrs []slog.Attr) slog.Handler { return joined{j.Handler.WithAttrs(attrs)} }

func (j joined) WithGroup(name string) slog.Handler { return joined{j.Handler.WithGroup(name)} }
