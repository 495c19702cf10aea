module github.com/kangma/kangma

go 1.26.0
