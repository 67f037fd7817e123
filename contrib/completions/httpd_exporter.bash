# shellcheck shell=bash
# bash completion for httpd_exporter.
# Made from the program's table of options: BLESS=1 cargo test completions

_httpd_exporter() {
    local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} options
    # Readline takes an option, `=` and its value for three words.
    if [[ $current == "=" ]]; then
        current=
    elif [[ $option == "=" ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    # @FILE stands for its lines, as arguments and as values.
    if [[ $current == @* ]]; then
        mapfile -t COMPREPLY < <(compgen -P @ -f -- "${current#@}")
        return
    fi
    case $option in
    --format)
        mapfile -t COMPREPLY < <(compgen -W 'auto common combined vhost_combined debian_combined combinedio common_D combined_D vhost_combined_D debian_combined_D nginx nginx_main json lighttpd litespeed caddy ltsv w3c iis-native npm npm-default npmplus bunkerweb apisix ingress-nginx traefik traefik-json haproxy haproxy-https haproxy-tls haproxy-clf envoy istio envoy-json varnish squid squid_combined squid_common kong kong-json gorouter zoraxy tomcat_D tomcat9_D undertow_D tomcat-json tomcat9-json uvicorn aiohttp hypercorn granian daphne werkzeug django uwsgi uwsgi-micros rack lograge lograge-json lograge-ltsv morgan_tiny morgan_short morgan_dev pino-http express-winston express-bunyan gin chi echo aws-alb aws-clb aws-s3 cloudfront-json gcp-lb azure-front-door azure-appgw azure-appgw-v1 azure-apim cloudflare heroku' -- "$current")
        return ;;
    --web.config.file | --tee)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return ;;
    --state-dir | --history)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return ;;
    --user)
        mapfile -t COMPREPLY < <(compgen -u -- "$current")
        return ;;
    --follow | --exclude | --envelope | --web.listen-address | --web.telemetry-path | --tee.rotate-size | --tee.rotate-interval | --tee.keep | --label | --label-values | --label-map | --max-values | --max-series | --route | --methods | --distinct | --histograms | --histogram-labels | --duration-buckets | --size-buckets | --quantiles | --quantiles.window | --exemplar | --exemplar.above | --slo | --slo.labels | --log.level | --log.format | --history.format | --history.step | --history.job | --history.instance)
        return ;;
    esac
    options='
        --format
        --follow
        --exclude
        --envelope
        --mixed
        --web.listen-address
        --web.telemetry-path
        --web.systemd-socket
        --web.config.file
        --state-dir
        --tee
        --tee.rotate-size
        --tee.rotate-interval
        --tee.keep
        --user
        --label
        --label-values
        --label-map
        --max-values
        --max-series
        --route
        --methods
        --distinct
        --histograms
        --histogram-labels
        --duration-buckets
        --size-buckets
        --upstream-phases
        --quantiles
        --quantiles.window
        --exemplar
        --exemplar.above
        --slo
        --slo.labels
        --log.level
        --log.format
        --once
        --report
        --history
        --history.format
        --history.step
        --history.job
        --history.instance
        --explain
        --health-check
        --help
        --version
    '
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
}

complete -F _httpd_exporter httpd_exporter
