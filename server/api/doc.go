// Package api is the door for people and programs.
package api
