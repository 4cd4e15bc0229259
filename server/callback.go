package main

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"trueup/plugin"
	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/upstream"
)

// callbackPath is where Manage sends callbacks; what it appends comes as the query. A
// request's log holds this pattern and never the secret.
const callbackPath = "/callbacks/:key/:secret"

// keyTimeout and keyBody bound the call for a callback's key.
const (
	keyTimeout = 10 * time.Second
	keyBody    = 64 << 10
)

// callbacks takes Manage's callbacks in, and works them off. Both ends know the same keys:
// where one process does both, a wrong signature is refused at the door.
type callbacks struct {
	p        *product
	keys     *plugin.CallbackKeys
	receiver *plugin.CallbackReceiver
	paths    callbackPaths
	keeper   callbackKeeper
	figures  *callbackFigures

	mu    sync.Mutex
	busy  map[billing.WorkspaceID]bool // whose callbacks are being worked off
	freed chan struct{}                // one of them isn't any more
}

func newCallbacks(p *product) (*callbacks, error) {
	c := &callbacks{
		p: p, figures: newCallbackFigures(p.store, p.log),
		paths:  callbackPaths{find: p.store.WorkspaceByCallback, now: p.now},
		keeper: callbackKeeper{store: p.store, now: p.now},
		busy:   map[billing.WorkspaceID]bool{}, freed: make(chan struct{}, 1),
	}
	// A client of its own: the answer is small, Manage's breaker and budget are for calls
	// that we mean to make, and a stranger can cause this one.
	client, err := upstream.New(upstream.Config{
		AllowPrivate: p.Settings.AllowPrivate, Log: p.log, Timeout: keyTimeout, MaxRetries: -1, MaxBody: keyBody, UserAgent: "trueup/" + version,
	})
	if err != nil {
		return nil, err
	}
	c.keys, err = plugin.NewCallbackKeys(plugin.CallbackKeysConfig{
		Client: client.HTTP(upstream.Target{Name: "connectwise callback key", Typed: true}), Sign: c.sign,
		Private: p.Settings.AllowPrivate, Now: p.now,
	})
	if err != nil {
		return nil, err
	}
	c.receiver, err = plugin.NewCallbackReceiver(plugin.CallbackReceiverConfig{Find: c.paths.of, Keep: c.keep, Keys: c.keys})
	return c, err
}

// mount serves what Manage sends. Whatever else is asked for below /callbacks is 403.
func (c *callbacks) mount(g *gin.Engine) {
	g.POST(callbackPath, func(to *gin.Context) {
		outcome, err := c.receiver.Receive(to.Writer, to.Request, to.Param("key"), to.Param("secret"))
		c.figures.received(outcome)
		if err != nil {
			c.p.log.ErrorContext(to.Request.Context(), "a callback was not kept", "outcome", string(outcome), "error", err)
		}
		if outcome.Status() == http.StatusAccepted {
			to.Status(http.StatusAccepted)
			return
		}
		refuseCallback(to, outcome)
	})
}

// refuseCallback answers Manage, which reads no more of it than the status.
func refuseCallback(to *gin.Context, outcome plugin.CallbackOutcome) {
	said := map[plugin.CallbackOutcome][2]string{
		plugin.CallbackUnsigned: {"The callback has no signature.", "Send it as ConnectWise Manage does."},
		plugin.CallbackRefuted:  {"The callback's signature is not that of this Manage.", "Send it as ConnectWise Manage does."},
		plugin.CallbackUnknown:  {"Callbacks of nobody come to this address.", "Install Trueup in ConnectWise again."},
		plugin.CallbackTooLarge: {"The callback is too large.", "Send what ConnectWise Manage sends."},
		plugin.CallbackBroken:   {"The callback broke off.", "Send it again."},
	}
	text, known := said[outcome]
	if !known {
		text = [2]string{"Callbacks are not taken at this moment.", "Send it again later."}
	}
	to.Header("Cache-Control", "no-store")
	refuse(to, outcome.Status(), "callback_"+string(outcome), text[0], text[1])
}

// keep hands a callback to the keeper.
func (c *callbacks) keep(ctx context.Context, r plugin.ReceivedCallback) (bool, error) {
	id, err := workspaceNamed(r.Workspace)
	if err != nil {
		return false, err
	}
	m := r.Message
	return c.keeper.keep(ctx, store.NewCallback{
		Workspace: id, Message: m.ID, Kind: m.Type, Record: m.Record, Action: m.Action, Signature: r.Signature, Query: r.Query, Body: r.Body,
	})
}

// workspaceName is how the plugin names a workspace, and workspaceNamed the way back.
func workspaceName(id billing.WorkspaceID) string { return strconv.FormatInt(int64(id), 10) }

func workspaceNamed(name string) (billing.WorkspaceID, error) {
	id, err := strconv.ParseInt(name, 10, 64)
	return billing.WorkspaceID(id), err
}

// source is the Manage whose callbacks a workspace believes.
func (c *callbacks) source(ctx context.Context, w billing.WorkspaceID) (plugin.CallbackSource, error) {
	settings, err := c.p.store.In(w).Settings(ctx)
	if err != nil {
		return plugin.CallbackSource{}, err
	}
	if settings.Manage == nil {
		return plugin.CallbackSource{}, plugin.ErrCallbackSource
	}
	return plugin.CallbackSource{Site: settings.Manage.Settings["site"], Company: settings.Manage.Settings["company"]}, nil
}

// sign gives what puts the credentials of the workspace's API member on a request.
func (c *callbacks) sign(ctx context.Context, workspace string) (func(*http.Request), error) {
	id, err := workspaceNamed(workspace)
	if err != nil {
		return nil, err
	}
	m, err := c.p.rooms.manage(ctx, id)
	if err != nil {
		return nil, err
	}
	access, err := m.Access(ctx)
	return access.Sign, err
}
