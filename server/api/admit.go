package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"trueup/server/account"
	"trueup/server/billing"
)

// People says who a request is made by.
type People interface {
	// Authenticate knows somebody by the session's cookie or by Authorization: Bearer,
	// and from where they may ask. Nobody known is ErrSignedOut.
	Authenticate(ctx context.Context, r *http.Request, from account.Client) (account.Principal, error)
}

type askerKey struct{}

// asker is who asks, and from where.
type asker struct {
	account.Principal

	from account.Client
}

// principal is who asks; the zero Principal where an operation is open to anybody and
// nobody is signed in.
func principal(ctx context.Context) account.Principal { return asking(ctx).Principal }

// workspaceOf is the workspace of who asks, and the only one that a handler may name.
func workspaceOf(ctx context.Context) billing.WorkspaceID { return principal(ctx).Workspace }

// clientOf is from where it is asked.
func clientOf(ctx context.Context) account.Client { return asking(ctx).from }

// actor is who asks, as the audit names them.
func actor(ctx context.Context) billing.Actor {
	a := asking(ctx)
	return a.Actor(a.from)
}

func asking(ctx context.Context) asker {
	a, _ := ctx.Value(askerKey{}).(asker)
	return a
}

// admit lets a request through whose sender may do what it asks for. It comes before
// anything of the request is read, so that who may not learns nothing of its form.
func (s *Server) admit(c *gin.Context) {
	if err := s.crossSite.Check(c.Request); err != nil {
		s.refuse(c, errCrossSite)
		return
	}
	r, ok := s.byRoute[c.Request.Method+" "+c.FullPath()]
	if !ok {
		s.refuse(c, errMissing)
		return
	}
	from := account.Client{Address: c.ClientIP(), Device: c.Request.UserAgent(), Request: s.reference(c.Request.Context())}
	p, err := s.people.Authenticate(c.Request.Context(), c.Request, from)
	switch {
	case err == nil:
		if err = r.admits(p); err == nil {
			err = r.embedAdmits(p)
		}
	case r.Access == Anybody && s.refusal(err).Status < http.StatusInternalServerError:
		p, err = account.Principal{}, nil // whoever isn't known, or not from there, may do what anybody may
	}
	if err != nil {
		s.refuse(c, err)
		return
	}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), askerKey{}, asker{p, from}))
	if s.missing[r.ID] {
		s.refuse(c, errMissing)
		return
	}
	c.Next()
}

// admits says why the principal may not use the operation; nil when it may.
func (r *Route) admits(p account.Principal) error {
	if r.Access != ByRole {
		return nil
	}
	if err := mayWork(p); err != nil {
		return err
	}
	if !p.Role.At(r.Least) {
		return ErrNotAllowed
	}
	return nil
}
