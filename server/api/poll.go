package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// poll gives an answer that screens ask for again and again its ETag, made of what it
// says, and spares sending it to who has it.
func (s *Server) poll(c *gin.Context) {
	r := s.byRoute[c.Request.Method+" "+c.FullPath()]
	if !r.Poll {
		c.Next()
		return
	}
	w := &kept{ResponseWriter: c.Writer, status: http.StatusOK}
	func() {
		c.Writer = w
		defer func() { c.Writer = w.ResponseWriter }() // also when the handler panics
		c.Next()
	}()
	if w.status == http.StatusOK {
		sum := sha256.Sum256(w.body.Bytes())
		tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
		c.Header("ETag", tag)
		c.Header("Cache-Control", "private, no-cache")
		if has(c.GetHeader("If-None-Match"), tag) {
			c.Writer.Header().Del("Content-Type")
			c.Status(http.StatusNotModified)
			c.Writer.WriteHeaderNow()
			return
		}
	}
	c.Status(w.status)
	_, _ = c.Writer.Write(w.body.Bytes()) // who went away doesn't hear it
}

// has says whether a tag is among those of If-None-Match. A proxy that compresses makes
// them weak, which is the same to us.
func has(header, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(one), "W/") == tag {
			return true
		}
	}
	return false
}

// kept holds an answer back until it is whole.
type kept struct {
	gin.ResponseWriter

	status int
	body   bytes.Buffer
}

func (k *kept) WriteHeader(status int) { k.status = status }

func (k *kept) WriteHeaderNow() {}

func (k *kept) Write(b []byte) (int, error) { return k.body.Write(b) }

func (k *kept) WriteString(s string) (int, error) { return k.body.WriteString(s) }

func (k *kept) Status() int { return k.status }

func (k *kept) Size() int { return k.body.Len() }

func (k *kept) Written() bool { return k.body.Len() > 0 }
